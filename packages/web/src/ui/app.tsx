import { useEffect, useMemo, useState } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import { toggleColorScheme } from './color-scheme.ts'
import { DetailsPanel } from './details-panel.tsx'
import { FlowTable } from './flow-table.tsx'
import { GremlinBox } from './gremlin-box.tsx'
import { HelpDialog } from './help-dialog.tsx'
import { LoginForm } from './login-form.tsx'
import { usePage, usePageState } from './page-context.ts'
import { SearchBox } from './search-box.tsx'
import { TimeSlider } from './time-slider.tsx'
import { BUTTON_ZOOM, TopologyCanvas } from './topology-canvas.tsx'
import { TopologyTree } from './topology-tree.tsx'
import { useShortcuts } from './use-shortcuts.ts'

const STATE_WORDS = { connecting: 'connecting…', live: 'live', lost: 'connection lost' } as const

function ConnectionBadge(): React.JSX.Element {
  const connection = usePageState((state) => state.connection)
  const isPast = usePageState((state) => state.atMs !== undefined)
  const nodes = usePageState((state) => state.nodes)
  const edges = usePageState((state) => state.edges)
  const word = connection.state === 'live' && isPast ? 'the past' : STATE_WORDS[connection.state]
  return (
    <p className="connection">
      <span
        className={`connection-${connection.state} ${isPast ? 'connection-past' : ''}`}
        role="status"
        title={connection.detail}
      >
        <span className="live-dot" aria-hidden="true" /> {word}
      </span>
      <span className="faint counts">{`${nodes.toLocaleString()} nodes, ${edges.toLocaleString()} edges`}</span>
    </p>
  )
}

function Workbench(): React.JSX.Element {
  const { api, store } = usePage()
  const [isHelpOpen, setIsHelpOpen] = useState(false)
  useEffect(() => store.connect(api.token), [api, store])
  const actions = useMemo(
    () =>
      new Map([
        ['/', () => document.getElementById('search')?.focus()],
        ['+', () => window.skydiveCanvas?.zoom(BUTTON_ZOOM)],
        ['-', () => window.skydiveCanvas?.zoom(1 / BUTTON_ZOOM)],
        ['0', () => window.skydiveCanvas?.fit()],
        ['.', () => store.send({ kind: 'time', atMs: undefined })],
        ['?', () => setIsHelpOpen(true)],
        [
          'Escape',
          () => {
            store.select(undefined)
            store.send({ kind: 'highlight', ids: [], reveal: false })
          },
        ],
      ]),
    [store],
  )
  const [areShortcutsOn, setShortcuts] = useShortcuts(actions)
  return (
    <div className="page">
      <header>
        <h1>Skydive</h1>
        <SearchBox />
        <ConnectionBadge />
        <button type="button" onClick={() => setIsHelpOpen(true)} aria-label="Help" title="Help (?)">
          ?
        </button>
        <button
          type="button"
          onClick={toggleColorScheme}
          aria-label="Switch between light and dark"
          title="Switch between light and dark"
        >
          ◐
        </button>
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
          {/* Both stay mounted: a query and its answer, and the place in the table, outlive a look at the other. */}
          <TabPanel id="flows" shouldForceMount>
            <FlowTable />
          </TabPanel>
          <TabPanel id="gremlin" shouldForceMount>
            <GremlinBox />
          </TabPanel>
        </Tabs>
      </footer>
      <HelpDialog
        isOpen={isHelpOpen}
        onClose={() => setIsHelpOpen(false)}
        areShortcutsOn={areShortcutsOn}
        onShortcuts={setShortcuts}
      />
    </div>
  )
}

/** The page: asks for credentials only when the analyzer wants some. */
export function App(): React.JSX.Element {
  const { api } = usePage()
  const [access, setAccess] = useState<'asking' | 'denied' | 'granted'>('asking')
  useEffect(() => {
    api.onDenied = () => setAccess('denied')
    api.allowed().then(
      (allowed) => setAccess(allowed ? 'granted' : 'denied'),
      // No answer at all: the page itself says so and tries again.
      () => setAccess('granted'),
    )
  }, [api])
  if (access === 'asking') return <p className="faint empty">…</p>
  return access === 'granted' ? <Workbench /> : <LoginForm onGranted={() => setAccess('granted')} />
}
