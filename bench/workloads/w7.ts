import { w1 } from './w1.js'
import { w2 } from './w2.js'

/** Whether one client's heavy query holds up everybody else. */
export const w7 = { name: 'W7', title: 'Small queries beside a heavy one', small: w1, heavy: w2, rate: 50 }
