// Words of rows and records.

export const ROW_BYTES = 64

export function setWord(row: i32, word: i32, value: i32): void {
  store<i32>(row + (word << 2), value)
}

export function word(at: i32, index: i32): i32 {
  return load<i32>(at + (index << 2))
}
