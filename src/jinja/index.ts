/** Chat templates, as Python's Jinja renders them. */

export { JinjaTemplate } from './template.js';
export { TooManySteps } from './template-error.js';
