import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

/** Where a running SafeCity answers while `npm run dev` serves the page (its gateway is learnt from /api/config). */
const backend = process.env['SAFECITY_WEB_BACKEND'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../safecity/api/page',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/api': { target: backend, changeOrigin: true } } },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true },
})
