import type { Workload } from '../workload.js'
import { w1 } from './w1.js'
import { w2, w2Json } from './w2.js'
import { w3a, w3b } from './w3.js'
import { w4 } from './w4.js'
import { w5 } from './w5.js'
import { w6 } from './w6.js'

/** In the order in which they are measured: writes last, as they leave dead rows behind. */
export const workloads: Workload[] = [w1, w2, w2Json, w3a, w3b, ...w5, w6, w4]
