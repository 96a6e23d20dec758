import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import 'uplot/dist/uPlot.min.css'
import './styles.css'
import { Api } from './ui/api.ts'
import { App } from './ui/app.tsx'
import { restoreColorScheme } from './ui/color-scheme.ts'
import { PageContext } from './ui/page-context.ts'
import { PageStore } from './ui/page-store.ts'

declare global {
  interface Window {
    /** For tests and the browser's console: what the page knows. */
    skydivePage?: PageStore
  }
}

/** Puts the page into `#root`, fed by an engine in a worker. */
export function mountPage(worker: Worker): void {
  restoreColorScheme()
  const page = { store: new PageStore(worker), api: new Api() }
  window.skydivePage = page.store
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <PageContext value={page}>
        <App />
      </PageContext>
    </StrictMode>,
  )
}
