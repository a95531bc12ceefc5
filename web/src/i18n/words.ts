/** All phrases of the page; one file a room under words/. */
import { errors } from './words/errors'
import { oversight } from './words/oversight'
import { shell } from './words/shell'
import { sites } from './words/sites'
import { video } from './words/video'

export const words = { ...shell, ...errors, ...oversight, ...sites, ...video }

export type WordKey = keyof typeof words
