/** The menu: what every app has, the way back to the choice of models, and the licences. */
import { Menu } from 'electron';

/** @param {{ chooseModels: () => void, showLicences: () => void }} calls */
export function setMenu({ chooseModels, showLicences }) {
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      process.platform === 'darwin' ? { role: 'appMenu' } : { role: 'fileMenu' },
      { role: 'editMenu' },
      { label: 'Models', submenu: [{ label: 'Choose models …', click: chooseModels }] },
      { role: 'viewMenu' },
      { role: 'windowMenu' },
      { role: 'help', submenu: [{ label: 'Licences', click: showLicences }] },
    ]),
  );
}
