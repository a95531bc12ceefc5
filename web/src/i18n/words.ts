/** All phrases of the page; one file a room under words/. */
import { cases } from './words/cases'
import { demo } from './words/demo'
import { edges } from './words/edges'
import { errors } from './words/errors'
import { heads } from './words/heads'
import { incidents } from './words/incidents'
import { oversight } from './words/oversight'
import { response } from './words/response'
import { shell } from './words/shell'
import { sites } from './words/sites'
import { store } from './words/store'
import { video } from './words/video'

export const words = { ...shell, ...errors, ...oversight, ...sites, ...video, ...incidents, ...demo, ...response, ...cases, ...store, ...edges, ...heads }

export type WordKey = keyof typeof words
