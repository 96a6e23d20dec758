import type { SceneState } from '../engine/scene.ts'

/** The colours of the drawing; one set for light and one for dark surroundings. Text has a contrast of 4.5 at least, marks of 3. */
export interface Theme extends Readonly<Record<SceneState, string>> {
  readonly background: string
  /** By depth. */
  readonly areas: readonly string[]
  readonly areaBorder: string
  readonly title: string
  readonly faint: string
  readonly label: string
  /** What stands inside a circle of this state. */
  readonly signs: Readonly<Record<SceneState, string>>
  readonly outline: string
  readonly folded: string
  readonly foldedText: string
  readonly edge: string
  readonly edgeStrong: string
  readonly way: string
  readonly selected: string
  readonly highlighted: string
  readonly halo: string
  readonly captured: string
}

export const LIGHT: Theme = {
  background: '#f4f6f8',
  areas: ['#ffffff', '#eef2f6', '#e3eaf1', '#d8e2ec'],
  areaBorder: '#9fb0c0',
  title: '#1d2b38',
  faint: '#4b5d6f',
  label: '#2b3d4f',
  up: '#ffffff',
  down: '#c9333a',
  waiting: '#f0a83a',
  none: '#d5dde5',
  signs: { up: '#3f5468', down: '#ffffff', waiting: '#3a2600', none: '#3f5468' },
  outline: '#51677d',
  folded: '#2f6f9f',
  foldedText: '#ffffff',
  edge: '#6b7e91',
  edgeStrong: '#1d6fb8',
  way: '#c2255c',
  selected: '#c46200',
  highlighted: '#a06a00',
  halo: '#ffd75e',
  captured: '#c2255c',
}

export const DARK: Theme = {
  background: '#12181f',
  areas: ['#1a222b', '#232d38', '#2b3744', '#334252'],
  areaBorder: '#4f6072',
  title: '#e6edf3',
  faint: '#a3b4c4',
  label: '#ced9e3',
  up: '#f2f6fa',
  down: '#d13438',
  waiting: '#f0a83a',
  none: '#64768a',
  signs: { up: '#3a4d60', down: '#ffffff', waiting: '#3a2600', none: '#ffffff' },
  outline: '#93a6b8',
  folded: '#4a90c2',
  foldedText: '#0e141a',
  edge: '#71879c',
  edgeStrong: '#6cb6f5',
  way: '#ff7eb0',
  selected: '#ffb02e',
  highlighted: '#ffd75e',
  halo: '#8a6d14',
  captured: '#ff4f93',
}

/** The colour of an area by its depth, of the background where there is none. */
export function areaColor(theme: Theme, depth: number | undefined): string {
  return depth === undefined ? theme.background : theme.areas[Math.min(depth, theme.areas.length - 1)]!
}
