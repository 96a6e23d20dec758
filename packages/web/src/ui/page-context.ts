import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Api } from './api.ts'
import type { PageState, PageStore } from './page-store.ts'

/** What every part of the page may use. */
export interface Page {
  readonly store: PageStore
  readonly api: Api
}

export const PageContext = createContext<Page | undefined>(undefined)

/** The store and the API of the page around. */
export function usePage(): Page {
  const page = useContext(PageContext)
  if (!page) throw new Error('usePage is called outside the page')
  return page
}

/** One part of the state; the component is drawn again when that part changes. */
export function usePageState<T>(select: (state: PageState) => T): T {
  const { store } = usePage()
  return useSyncExternalStore(store.subscribe, () => select(store.getState()))
}
