import { useEffect, useState } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import { DetailsPanel } from './details-panel.tsx'
import { FlowTable } from './flow-table.tsx'
import { GremlinBox } from './gremlin-box.tsx'
import { LoginForm } from './login-form.tsx'
import { usePage, usePageState } from './page-context.ts'
import { SearchBox } from './search-box.tsx'
import { TimeSlider } from './time-slider.tsx'
import { TopologyCanvas } from './topology-canvas.tsx'
import { TopologyTree } from './topology-tree.tsx'

const STATE_WORDS = { connecting: 'connecting…', live: 'live', lost: 'connection lost, trying again…' } as const

function ConnectionBadge(): React.JSX.Element {
  const connection = usePageState((state) => state.connection)
  const atMs = usePageState((state) => state.atMs)
  const nodes = usePageState((state) => state.nodes)
  const edges = usePageState((state) => state.edges)
  const word = connection.state === 'live' && atMs !== undefined ? 'the past' : STATE_WORDS[connection.state]
  return (
    <p className={`connection connection-${connection.state}`} role="status" title={connection.detail}>
      <span className="live-dot" aria-hidden="true" /> {word}
      <span className="faint">{` ${nodes} nodes, ${edges} edges`}</span>
    </p>
  )
}

/** Light, dark, or what the system says. */
function ThemeButton(): React.JSX.Element {
  const { store } = usePage()
  const [theme, setTheme] = useState(document.documentElement.dataset['theme'] ?? '')
  const toggle = (): void => {
    const dark = theme === 'dark' || (theme === '' && matchMedia('(prefers-color-scheme: dark)').matches)
    const next = dark ? 'light' : 'dark'
    document.documentElement.dataset['theme'] = next
    setTheme(next)
    store.onDraw()
  }
  return (
    <button type="button" onClick={toggle} aria-label="Switch between light and dark">
      ◐
    </button>
  )
}

function Workbench(): React.JSX.Element {
  const { api, store } = usePage()
  useEffect(() => store.connect(api.token), [api, store])
  return (
    <div className="page">
      <header>
        <h1>Skydive</h1>
        <SearchBox />
        <ConnectionBadge />
        <ThemeButton />
      </header>
      <nav className="side" aria-label="Topology">
        <TopologyTree />
      </nav>
      <main>
        <TopologyCanvas />
        <TimeSlider />
      </main>
      <DetailsPanel />
      <footer>
        <Tabs>
          <TabList aria-label="Tools" className="tabs">
            <Tab id="flows">Flows</Tab>
            <Tab id="gremlin">Gremlin</Tab>
          </TabList>
          <TabPanel id="flows">
            <FlowTable />
          </TabPanel>
          <TabPanel id="gremlin">
            <GremlinBox />
          </TabPanel>
        </Tabs>
      </footer>
    </div>
  )
}

/** The page: asks for credentials only when the analyzer wants some. */
export function App(): React.JSX.Element {
  const { api } = usePage()
  const [access, setAccess] = useState<'asking' | 'denied' | 'granted'>('asking')
  useEffect(() => {
    api.allowed().then(
      (allowed) => setAccess(allowed ? 'granted' : 'denied'),
      () => setAccess('granted'),
    )
  }, [api])
  if (access === 'asking') return <p className="faint empty">…</p>
  return access === 'granted' ? <Workbench /> : <LoginForm onGranted={() => setAccess('granted')} />
}
