/** Electron Forge: `npx electron-forge make`. */
import { UNPACKED } from './unpacked.mjs';

export default {
  packagerConfig: {
    asar: { unpackDir: `{${UNPACKED.join(',')}}` },
    prune: true,
    ignore: [/^\/(out|dist)\//, /\.tgz$/],
  },
  makers: [
    { name: '@electron-forge/maker-zip', platforms: ['darwin', 'linux'] },
    { name: '@electron-forge/maker-squirrel', platforms: ['win32'] },
  ],
};
