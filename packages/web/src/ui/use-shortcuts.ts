import { useEffect, useState } from 'react'

const KEY = 'skydive.shortcuts'

/** Whether what has the focus wants the key for itself. */
function wantsText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable="true"], dialog') !== null
}

/**
 * Carries out single keys that are typed outside of text fields. Answers whether they are on and how to switch them, which is kept for the
 * next visit; `Escape` always works.
 */
export function useShortcuts(actions: ReadonlyMap<string, () => void>): [on: boolean, switchOn: (on: boolean) => void] {
  const [isOn, setIsOn] = useState(() => localStorage.getItem(KEY) !== 'off')
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || wantsText(event.target)) return
      if (!isOn && event.key !== 'Escape') return
      const action = actions.get(event.key)
      if (!action) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [actions, isOn])
  const switchOn = (on: boolean): void => {
    localStorage.setItem(KEY, on ? 'on' : 'off')
    setIsOn(on)
  }
  return [isOn, switchOn]
}
