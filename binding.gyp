# `node-gyp rebuild` in a clone: the same build as `npm run build`. The package does not carry this file, because installers would take
# it for something to compile.
{
  'variables': { 'runtime%': 'node', 'target%': '' },
  'targets': [
    {
      'target_name': 'eta-vlm',
      'type': 'none',
      'actions': [
        {
          'action_name': 'build',
          'inputs': [],
          'outputs': ['<(PRODUCT_DIR)/eta-vlm.always'],
          'action': ['node', '<(module_root_dir)/native/build.mjs'],
        },
      ],
    },
  ],
}
