import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Relative addresses, so that the analyzer may serve the page under any path; sources of our packages, so that no build of them is needed.
export default defineConfig({
  base: './',
  plugins: [react()],
  resolve: { conditions: ['@skydive/source', 'module', 'browser', 'development|production'] },
  worker: { format: 'es' },
  build: { target: 'es2022', chunkSizeWarningLimit: 1_500 },
})
