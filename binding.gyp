{
  "targets": [
    {
      "target_name": "matfun",
      "sources": [
        "<!@(node -p \"require('fs').readFileSync('native/sources.txt', 'utf8')\")",
        "native/addon/arguments.cpp",
        "native/addon/linearizations.cpp",
        "native/addon/module.cpp",
        "native/addon/worker.cpp"
      ],
      "include_dirs": ["native"],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except_all"],
      "defines": ["NAPI_VERSION=8", "NDEBUG"],
      "cflags": ["-O3", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++1y"],
      "cflags_cc": ["-std=c++20", "<!@(pkg-config --cflags openblas)"],
      "libraries": ["<!@(pkg-config --libs openblas)"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "MACOSX_DEPLOYMENT_TARGET": "13.0",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "OTHER_CPLUSPLUSFLAGS": ["<!@(pkg-config --cflags openblas)"]
      }
    }
  ]
}
