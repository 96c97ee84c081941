/** A desktop app around eta-vlm: one window, one process that owns the models, nothing fetched unless its user says so. */
import { join } from 'node:path';
import { app, ipcMain, MessageChannelMain, powerMonitor, protocol, utilityProcess } from 'electron';
import { CHOICES, Choices } from './choices.mjs';
import { EtaHost } from './eta-host.mjs';
import { setMenu } from './menu.mjs';
import { LICENCES, PAGE, SCHEME, START, servePages } from './pages.mjs';
import { openWindow } from './window.mjs';

/** Where packages and the process of the models lie as real files: beside the archive, once the app is packed. */
const files = app.getAppPath().replace(/\.asar$/, '.asar.unpacked');

protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);

/** @type {import('electron').BrowserWindow | null} */
let window = null;

const host = new EtaHost({
  fork: () => utilityProcess.fork(join(files, 'eta', 'process.mjs'), [], { serviceName: 'eta-vlm' }),
  createChannel: () => new MessageChannelMain(),
  onState: (state) => {
    window?.webContents.send('models:state', state);
    if (state.name === 'ready') show(PAGE);
    if (state.name === 'failed') show(START);
  },
});

/** @param {string} address */
function show(address) {
  if (window !== null && window.webContents.getURL() !== address) void window.loadURL(address);
}

function open() {
  window = openWindow();
  window.once('closed', () => (window = null));
  show(host.state.name === 'ready' ? PAGE : START);
}

/** Only our own pages may give orders. @param {import('electron').IpcMainEvent | import('electron').IpcMainInvokeEvent} event */
const isOurs = ({ senderFrame }) => senderFrame?.url.startsWith(`${SCHEME}://`) === true;

/** @param {string} channel @param {(...values: any[]) => unknown} work */
function handle(channel, work) {
  ipcMain.handle(channel, (event, ...values) => (isOurs(event) ? work(...values) : undefined));
}

async function start() {
  protocol.handle(
    SCHEME,
    servePages({ start: join(app.getAppPath(), 'start'), page: join(files, 'node_modules/eta-vlm/dist/page') }),
  );
  const choices = new Choices(app.getPath('userData'));
  ipcMain.on('eta-hello', (event) => isOurs(event) && host.connect(event.sender));
  handle('models:choices', () => ({ state: host.state, choices: CHOICES }));
  handle('models:use', async (name, mayFetch) => host.load(await choices.take(name, mayFetch === true)));
  handle('models:stop', () => host.stop());
  setMenu({ chooseModels: () => show(START), showLicences: () => show(LICENCES) });
  powerMonitor.on('suspend', () => host.unload());
  open();
  const last = await choices.last();
  if (last !== null) host.load(await choices.take(last, false));
}

if (!app.requestSingleInstanceLock()) app.quit();
else {
  app.on('second-instance', () => {
    if (window === null) return open();
    window.restore();
    window.focus();
  });
  app.on('activate', () => window === null && open());
  app.on('window-all-closed', () => process.platform !== 'darwin' && app.quit());
  let isFreed = false;
  app.on('before-quit', (event) => {
    if (isFreed) return;
    event.preventDefault(); // until the models are freed
    void host.quit().finally(() => {
      isFreed = true;
      app.quit();
    });
  });
  void app.whenReady().then(start);
}
