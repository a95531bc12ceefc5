/** All phrases of the page; one file a room under words/. */
import { errors } from './words/errors'
import { shell } from './words/shell'
import { video } from './words/video'

export const words = { ...shell, ...errors, ...video }

export type WordKey = keyof typeof words
