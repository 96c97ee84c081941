/** electron-builder: `npx electron-builder --config electron-builder.config.mjs`. */
import { UNPACKED } from './unpacked.mjs';

export default {
  appId: 'org.example.eta-vlm',
  productName: 'eta-vlm example',
  files: ['**/*', '!*.config.mjs', '!unpacked.mjs', '!*.tgz'],
  asar: true,
  asarUnpack: UNPACKED.map((folder) => `${folder}/**`),
  npmRebuild: false, // Node-API: nothing is compiled for a version of Electron
  linux: { target: 'AppImage' },
  mac: { target: 'dmg', hardenedRuntime: true },
  win: { target: 'nsis' },
};
