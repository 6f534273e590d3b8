// Fills the embedded database, as a process of its own.
import { fillEmbedded } from './data.js'

await fillEmbedded()
