// The built page must fetch nothing from outside. Looks for every address in the built files; one that is never
// fetched (a namespace, a licence, a hint in an error message) is named below with its reason.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const page = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '../../safecity/api/page')

const NEVER_FETCHED = [
  [/^http:\/\/www\.w3\.org\//, 'XML namespaces'],
  [/^https:\/\/github\.com\/[\w-]+\/[\w-]+\/(?:blob|tree|issues|pull)\//, 'licences and notes in comments and error messages'],
  [/^https:\/\/(?:react\.dev|reactjs\.org)\//, "React's error messages"],
  [/^https:\/\/maplibre\.org\//, "MapLibre's documentation in messages and its unused attribution"],
  [/^https:\/\/reactrouter\.com\//, "React Router's messages"],
  [/^https:\/\/maplibre\.invalid\//, 'a base for parsing relative addresses; the name cannot exist (RFC 2606)'],
  [/^https:\/\/wiki\.openstreetmap\.org\/wiki\/This_map_requires_WebGL$/, "a hint in MapLibre's error message"],
  [/^https:\/\/mantine\.dev\//, "a hint in Mantine's error message"],
  [/^https:\/\/github\.com\/ungap\/url-search-params\.$/, "a hint in React Router's error message"],
  [/^http:\/\/localhost/, "a base for parsing relative addresses"],
]

const found = []
for (const entry of readdirSync(page, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(?:m?js|css|html|svg|json)$/.test(entry.name)) continue
  const text = readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf8')
  for (const [address] of text.matchAll(/(?:https?|wss?):\/\/[^\s"'`)<>\\]+/g)) {
    if (!NEVER_FETCHED.some(([known]) => known.test(address))) found.push(`${entry.name}: ${address}`)
  }
  for (const [address] of text.matchAll(/(?:src|href|url)\s*[=(]\s*["']?\/\/[\w.-]+/g)) found.push(`${entry.name}: ${address}`)
}
for (const line of new Set(found)) console.error(line)
console.log(found.length === 0 ? 'bundle: fetches nothing from outside' : `bundle: ${found.length} unexplained addresses`)
process.exit(found.length === 0 ? 0 : 1)
