# The addon's one description. It lies at the root of the repository, and in native/ of the package, where no installer takes
# it for something to build.
#
# Where `openblas_archives` names archives (absolute, apart by spaces), there is a second addon, matfun_static, with these linked
# in and hidden, so that it needs no OpenBLAS and meets no other one; `openblas_locks=1` says that they were built with
# USE_LOCKING, `openblas_options` are options of the linker for them. scripts/release sets these.
{
  "variables": {
    "openblas_archives%": "",
    "openblas_locks%": 0,
    "openblas_options%": "",
    "native": "<!(node -p \"require('fs').existsSync('sources.txt') ? '.' : 'native'\")",
    "addon_api": "<!(node <(native)/addon_api.cjs)",
    # What calls OpenBLAS or Node is compiled for each addon, the rest once.
    "boundary": [
      "<(native)/linalg/blas.cpp",
      "<(native)/addon/arguments.cpp",
      "<(native)/addon/linearizations.cpp",
      "<(native)/addon/module.cpp",
      "<(native)/addon/worker.cpp",
    ],
  },
  "target_defaults": {
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
  },
  "targets": [
    {
      "target_name": "matfun_core",
      "type": "static_library",
      "sources": [
        "<!@(node -p \"require('fs').readFileSync('<(native)/sources.txt', 'utf8').replaceAll('native/', '<(native)/').replace(/.*blas.cpp/, '')\")",
      ],
    },
    {
      "target_name": "matfun",
      "sources": ["<@(boundary)"],
      "dependencies": ["matfun_core"],
      "cflags_cc": ["<!@(pkg-config --cflags openblas)"],
      "libraries": ["<!@(pkg-config --libs openblas)"],
      "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<!@(pkg-config --cflags openblas)"] },
    },
  ],
  "conditions": [
    ["openblas_archives!=''", {
      "targets": [
        {
          "target_name": "matfun_static",
          "sources": ["<@(boundary)", "<(native)/linalg/fortran_runtime.cpp"],
          "dependencies": ["matfun_core"],
          "defines": ["MATFUN_OPENBLAS_STATIC=1", "MATFUN_OPENBLAS_LOCKS=<(openblas_locks)"],
          "libraries": ["-Wl,--start-group", "<@(openblas_archives)", "-Wl,--end-group", "-lm"],
          "ldflags": ["-Wl,--exclude-libs,ALL", "-Wl,--gc-sections", "-Wl,-Bsymbolic", "-Wl,--strip-all", "<@(openblas_options)"],
        },
      ],
    }],
  ],
}
