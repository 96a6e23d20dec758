const KEY = 'skydive.theme'
const systemIsDark = matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

systemIsDark.addEventListener('change', () => {
  for (const listener of listeners) listener()
})

/** Whether the page is dark now: as the user chose, else as the system says. */
export function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme']
  return chosen === undefined ? systemIsDark.matches : chosen === 'dark'
}

/** Takes the choice of the last visit; call it before the first picture. */
export function restoreColorScheme(): void {
  const chosen = localStorage.getItem(KEY)
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset['theme'] = chosen
}

/** From light to dark or back, for this visit and the next ones. */
export function toggleColorScheme(): void {
  const next = isDark() ? 'light' : 'dark'
  document.documentElement.dataset['theme'] = next
  localStorage.setItem(KEY, next)
  for (const listener of listeners) listener()
}

/** Calls back after every change; answers how to stop it. */
export function onColorScheme(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
