# The addon's one description. It lies at the root of the repository, and in native/ of the package, where no installer takes
# it for something to build. `openblas_archives`, absolute and apart by spaces, are linked in statically and hidden, in place of
# what pkg-config finds; `openblas_locks=1` says that they were built with USE_LOCKING. scripts/release sets both.
{
  "variables": {
    "openblas_archives%": "",
    "openblas_locks%": 0,
    "native": "<!(node -p \"require('fs').existsSync('sources.txt') ? '.' : 'native'\")",
    "addon_api": "<!(node -p \"require('fs').existsSync('../vendor/node-addon-api') ? '../vendor/node-addon-api' : require('node-addon-api').targets.replace(/.node_addon_api.gyp$/, '')\")",
  },
  "targets": [
    {
      "target_name": "matfun",
      "sources": [
        "<!@(node -p \"require('fs').readFileSync('<(native)/sources.txt', 'utf8').replaceAll('native/', '<(native)/')\")",
        "<(native)/addon/arguments.cpp",
        "<(native)/addon/linearizations.cpp",
        "<(native)/addon/module.cpp",
        "<(native)/addon/worker.cpp",
      ],
      "include_dirs": ["<(native)"],
      "dependencies": ["<(addon_api)/node_addon_api.gyp:node_addon_api_except_all"],
      "defines": ["NAPI_VERSION=8", "NDEBUG"],
      "cflags": ["-O3", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++1y"],
      "cflags_cc": ["-std=c++20"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "MACOSX_DEPLOYMENT_TARGET": "13.0",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      },
      "conditions": [
        ["openblas_archives==''", {
          "cflags_cc": ["<!@(pkg-config --cflags openblas)"],
          "libraries": ["<!@(pkg-config --libs openblas)"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<!@(pkg-config --cflags openblas)"] },
        }, {
          "defines": ["MATFUN_OPENBLAS_STATIC=1", "MATFUN_OPENBLAS_LOCKS=<(openblas_locks)"],
          "cflags": ["-ffunction-sections", "-fdata-sections"],
          "libraries": ["-Wl,--start-group", "<@(openblas_archives)", "-Wl,--end-group", "-lm"],
          "ldflags": ["-Wl,--exclude-libs,ALL", "-Wl,--gc-sections", "-Wl,-Bsymbolic", "-Wl,--strip-all"],
        }],
      ],
    },
  ],
}
