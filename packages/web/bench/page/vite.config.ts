import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  resolve: { conditions: ['@skydive/source', 'module', 'browser'] },
  worker: { format: 'es' },
  build: { outDir: '../../.cache/bench-page', emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 2_000 },
})
