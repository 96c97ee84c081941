/** The page that `eta-vlm serve` gives, and that a desktop app may show. */
import { mount } from 'svelte';
import App from './App.svelte';
import { Server } from './server.svelte.js';
import { Session } from './session.svelte.js';
import { Settings } from './settings.svelte.js';
import { openShelf } from './shelf.js';
import './page.css';
import { HttpTransport } from './http-transport.js';
import { PreloadTransport } from './preload-transport.js';

// In a desktop app, what its preload script gives; the server of this page otherwise.
const transport = window.etaVlm === undefined ? new HttpTransport() : new PreloadTransport(window.etaVlm);
const settings = new Settings();
const shelf = await openShelf();
const server = new Server(transport);
const session = new Session({ transport, server, settings, shelf });
await session.restore();
void server.watch();
mount(App, { target: document.getElementById('page') ?? document.body, props: { session, server, settings } });
