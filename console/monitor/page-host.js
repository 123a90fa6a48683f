import { dashboard } from './dashboard.js';

export const render = (element, parameters) => dashboard('host', element, parameters);
