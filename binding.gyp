# node-gyp and @electron/rebuild end here: the same build as `npm run build`.
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
