/** The colours of the drawing; one set for light and one for dark surroundings. */
export interface Theme {
  readonly background: string
  readonly areas: readonly string[]
  readonly areaBorder: string
  readonly title: string
  readonly label: string
  readonly up: string
  readonly down: string
  readonly none: string
  readonly outline: string
  readonly folded: string
  readonly foldedText: string
  readonly edge: string
  readonly edgeStrong: string
  readonly selected: string
  readonly highlighted: string
  readonly captured: string
}

export const LIGHT: Theme = {
  background: '#f4f6f8',
  areas: ['#ffffff', '#eef2f6', '#e3eaf1', '#d8e2ec'],
  areaBorder: '#b6c2cf',
  title: '#243443',
  label: '#33475b',
  up: '#ffffff',
  down: '#e5484d',
  none: '#dfe5eb',
  outline: '#51677d',
  folded: '#2f6f9f',
  foldedText: '#ffffff',
  edge: '#8fa1b3',
  edgeStrong: '#1d6fb8',
  selected: '#e08600',
  highlighted: '#f2c14e',
  captured: '#c2255c',
}

export const DARK: Theme = {
  background: '#12181f',
  areas: ['#1a222b', '#212b36', '#283441', '#2f3d4c'],
  areaBorder: '#465667',
  title: '#e6edf3',
  label: '#c3cfda',
  up: '#f2f6fa',
  down: '#ff6369',
  none: '#5b6b7b',
  outline: '#93a6b8',
  folded: '#4a90c2',
  foldedText: '#0e141a',
  edge: '#5d7185',
  edgeStrong: '#6cb6f5',
  selected: '#ffb02e',
  highlighted: '#e2c044',
  captured: '#ff7eb0',
}
