import { Editor } from './consumer.js';
import { usesOfEverything, typesWithoutName } from './surface.js';
const e = new Editor();
const places = usesOfEverything(e);
const empty = places.filter(({ position }) => e.hover(position) === '');
console.log(places.length, 'places', empty.length, 'empty');
console.log(empty.map((p) => p.name).join('\n'));
console.log('UNNAMED', typesWithoutName(e).join(' '));
