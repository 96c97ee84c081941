/** The time for templates that ask for it: `strftime_now('%d %b %Y')`, in English as Python's locale C has it. */
import { spend } from './meter.js';
import { TemplateError } from './template-error.js';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const two = (value: number) => String(value).padStart(2, '0');

const FIELDS: Readonly<Record<string, (now: Date) => string>> = {
  Y: (now) => String(now.getFullYear()),
  y: (now) => two(now.getFullYear() % 100),
  m: (now) => two(now.getMonth() + 1),
  d: (now) => two(now.getDate()),
  B: (now) => MONTHS[now.getMonth()] ?? '',
  b: (now) => (MONTHS[now.getMonth()] ?? '').slice(0, 3),
  A: (now) => DAYS[now.getDay()] ?? '',
  a: (now) => (DAYS[now.getDay()] ?? '').slice(0, 3),
  H: (now) => two(now.getHours()),
  I: (now) => two(now.getHours() % 12 || 12),
  p: (now) => (now.getHours() < 12 ? 'AM' : 'PM'),
  M: (now) => two(now.getMinutes()),
  S: (now) => two(now.getSeconds()),
  '%': () => '%',
};

/** @throws TemplateError for a field that is not known */
export function strftime(now: Date, form: string): string {
  spend(form.length);
  return form.replace(/%(-?[\s\S]?)/g, (whole, name: string) => {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (field === undefined) throw new TemplateError(`strftime_now: the field '${whole}' is not known here`);
    return field(now);
  });
}
