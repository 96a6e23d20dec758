import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import 'uplot/dist/uPlot.min.css'
import './styles.css'
import { Api } from './ui/api.ts'
import { App } from './ui/app.tsx'
import { PageContext } from './ui/page-context.ts'
import { PageStore } from './ui/page-store.ts'

const worker = new Worker(new URL('./engine/engine-worker.ts', import.meta.url), { type: 'module', name: 'skydive-engine' })
const page = { store: new PageStore(worker), api: new Api() }

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <PageContext value={page}>
      <App />
    </PageContext>
  </StrictMode>,
)
