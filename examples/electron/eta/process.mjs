/** The utility process: it alone loads native code. */
import { Service } from './service.mjs';

new Service(process.parentPort);
