// House rules of the page (STYLE.md, section Front end), checked by a machine: sizes, who imports whom, logical CSS
// only. Prints every break and exits 1. Exceptions stand below by name and may only become fewer.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const web = join(dirname(fileURLToPath(import.meta.url)), '..')
const src = process.argv[2] ?? join(web, 'src')
const FILE_LINES = 250
const COMPONENT_LINES = 120

/** What a folder may import, besides itself. A room may import no other room. */
const MAY_IMPORT = {
  lib: [],
  i18n: ['lib'],
  api: ['lib'],
  ui: ['api', 'lib', 'i18n'],
  rooms: ['ui', 'api', 'lib', 'i18n'],
  app: ['rooms', 'ui', 'api', 'lib', 'i18n'],
}

/** Path and line's text of a physical property that must stay, with its reason. */
const PHYSICAL_CSS_EXCEPTIONS = []
/** Files over the limit, with the reason. */
const SIZE_EXCEPTIONS = ['api/schema.d.ts'] // generated

const PHYSICAL_CSS = [
  /(?:^|[\s;{])(?:margin|padding|border)-(?:left|right|top|bottom)(?:-\w+)?\s*:/,
  /(?:^|[\s;{])(?:left|right|top|bottom)\s*:/,
  /(?:text-align|float|clear)\s*:\s*(?:left|right)\b/,
  /border-(?:top|bottom)-(?:left|right)-radius\s*:/,
  /(?:^|[\s;{])(?:min-|max-)?(?:width|height)\s*:/,
]
const PHYSICAL_STYLE = /\b(?:margin|padding|border)(?:Left|Right|Top|Bottom)\b|\btextAlign:\s*['"](?:left|right)['"]|\b(?:m|p)[lr]=[{"']/

const broken = []
const breaks = (file, line, what) => broken.push(`${relative(web, join(src, file))}:${line}: ${what}`)

function filesOf(folder, prefix = '') {
  return readdirSync(join(src, folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = join(prefix, entry.name)
    return entry.isDirectory() ? filesOf(folder, path) : [posix.join(folder, path.split(sep).join('/'))]
  })
}

function checkSize(file, text) {
  const lines = text.split('\n').length - 1
  if (lines > FILE_LINES && !SIZE_EXCEPTIONS.includes(file)) breaks(file, 1, `${lines} lines, the limit is ${FILE_LINES}`)
}

function checkImports(file, source) {
  const [folder, room] = file.split('/')
  source.forEachChild(function visit(node) {
    const named = ts.isImportDeclaration(node) || ts.isExportDeclaration(node) ? node.moduleSpecifier : null
    const called = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments[0] : null
    const specifier = named ?? called
    if (specifier && ts.isStringLiteral(specifier) && specifier.text.startsWith('.')) checkImport(file, folder, room, specifier.text, lineOf(source, node))
    node.forEachChild(visit)
  })
}

function checkImport(file, folder, room, specifier, line) {
  const target = posix.join(posix.dirname(file), specifier)
  const [toFolder, toRoom] = target.split('/')
  if (target.startsWith('..')) breaks(file, line, `imports ${specifier}, outside src`)
  else if (toFolder !== folder && !MAY_IMPORT[folder]?.includes(toFolder)) breaks(file, line, `${folder}/ may not import ${toFolder}/`)
  else if (folder === 'rooms' && toFolder === 'rooms' && toRoom !== room) breaks(file, line, `the room ${room} may not import the room ${toRoom}`)
}

const lineOf = (source, node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1

/** A component is a function or class with a name in capitals, in a .tsx file. */
function checkComponents(file, source) {
  const check = (node, name) => {
    const first = lineOf(source, node)
    const lines = source.getLineAndCharacterOfPosition(node.end).line + 2 - first
    if (/^[A-Z]/.test(name) && lines > COMPONENT_LINES) breaks(file, first, `${name} has ${lines} lines, the limit is ${COMPONENT_LINES}`)
  }
  source.forEachChild((node) => {
    if ((ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && node.name) check(node, node.name.text)
    if (ts.isVariableStatement(node)) for (const item of node.declarationList.declarations) if (ts.isIdentifier(item.name)) check(item, item.name.text)
  })
}

function checkLines(file, text, rules, what) {
  text.split('\n').forEach((line, index) => {
    const code = line.replace(/@media[^{]*/, '').replace(/@container[^{]*/, '')
    const isExcepted = PHYSICAL_CSS_EXCEPTIONS.some(([path, content]) => path === file && line.trim() === content)
    if (!isExcepted && rules.some((rule) => rule.test(code))) breaks(file, index + 1, `${what}: ${line.trim()}`)
  })
}

for (const folder of readdirSync(src, { withFileTypes: true })) {
  if (!folder.isDirectory()) continue
  if (!(folder.name in MAY_IMPORT)) breaks(folder.name, 1, 'is not a folder of this house')
  for (const file of filesOf(folder.name)) {
    const text = readFileSync(join(src, file), 'utf8')
    if (!/\.(?:tsx?|css)$/.test(file)) continue
    checkSize(file, text)
    if (file.endsWith('.css')) {
      checkLines(file, text, PHYSICAL_CSS, 'physical CSS, use the logical property')
      continue
    }
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
    checkImports(file, source)
    if (file.endsWith('.tsx')) {
      checkComponents(file, source)
      checkLines(file, text, [PHYSICAL_STYLE], 'physical style, use the logical property')
    }
  }
}

const lock = readFileSync(join(web, 'package-lock.json'), 'utf8')
if (lock.includes('://')) broken.push('package-lock.json: names a host; run node tools/clean-lock.mjs')

for (const line of broken) console.error(line)
console.log(broken.length === 0 ? 'house rules: kept' : `house rules: ${broken.length} broken`)
process.exit(broken.length === 0 ? 0 : 1)
