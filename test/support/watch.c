// Preloaded into a process, writes to the file that MATFUN_WATCHED names what the process does outside itself: a line for each
// file that is read, written, made, renamed or removed, each folder that is listed, each library that is loaded, each socket, each
// address that is connected to, and each program that is started.
// The functions are those of the C library that Node and its addons import for that (nm -D shows them).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void tell(const char* what, const char* which) {
  char line[4500];
  const int length = snprintf(line, sizeof line, "%s %s\n", what, which ? which : "");
  const int log = REAL(open64)(getenv("MATFUN_WATCHED"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log < 0 || write(log, line, (size_t)length) != length) abort();
  close(log);
}

static void tell_open(const char* path, int flags) {
  tell((flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) ? "write" : "read", path);
}

#define OPEN(name)                                   \
  int name(const char* path, int flags, ...) {       \
    va_list more;                                    \
    va_start(more, flags);                           \
    const int mode = va_arg(more, int);              \
    va_end(more);                                    \
    tell_open(path, flags);                          \
    return REAL(name)(path, flags, mode);            \
  }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                \
  int name(int folder, const char* path, int flags, ...) { \
    va_list more;                                    \
    va_start(more, flags);                           \
    const int mode = va_arg(more, int);              \
    va_end(more);                                    \
    tell_open(path, flags);                          \
    return REAL(name)(folder, path, flags, mode);    \
  }
OPEN_AT(openat)
OPEN_AT(openat64)

#define STREAM(name)                                 \
  FILE* name(const char* path, const char* mode) {   \
    tell(strpbrk(mode, "wa+") ? "write" : "read", path); \
    return REAL(name)(path, mode);                   \
  }
STREAM(fopen)
STREAM(fopen64)

#define LINK(name)                                                     \
  ssize_t name(const char* path, char* to, size_t length) {            \
    return tell("read", path), REAL(name)(path, to, length);           \
  }
LINK(readlink)

DIR* opendir(const char* path) { return tell("list", path), REAL(opendir)(path); }
int scandir64(const char* path, struct dirent64*** found, int (*filter)(const struct dirent64*),
              int (*compare)(const struct dirent64**, const struct dirent64**)) {
  return tell("list", path), REAL(scandir64)(path, found, filter, compare);
}
int mkdir(const char* path, mode_t mode) { return tell("mkdir", path), REAL(mkdir)(path, mode); }
char* mkdtemp(char* path) { return tell("mkdtemp", path), REAL(mkdtemp)(path); }
int mkstemp64(char* path) { return tell("mkstemp", path), REAL(mkstemp64)(path); }
int rename(const char* from, const char* to) { return tell("rename", to), REAL(rename)(from, to); }
int link(const char* from, const char* to) { return tell("link", to), REAL(link)(from, to); }
int symlink(const char* from, const char* to) { return tell("symlink", to), REAL(symlink)(from, to); }
int rmdir(const char* path) { return tell("rmdir", path), REAL(rmdir)(path); }
int chmod(const char* path, mode_t mode) { return tell("chmod", path), REAL(chmod)(path, mode); }
int utimensat(int folder, const char* path, const struct timespec times[2], int flags) {
  return tell("utimens", path), REAL(utimensat)(folder, path, times, flags);
}
int unlink(const char* path) { return tell("unlink", path), REAL(unlink)(path); }
void* dlopen(const char* path, int flags) { return tell("load", path), REAL(dlopen)(path, flags); }
pid_t fork(void) { return tell("fork", 0), REAL(fork)(); }
int execvp(const char* path, char* const* args) { return tell("exec", path), REAL(execvp)(path, args); }
int socket(int domain, int type, int protocol) { return tell("socket", 0), REAL(socket)(domain, type, protocol); }
int socketpair(int domain, int type, int protocol, int both[2]) {
  return tell("socketpair", 0), REAL(socketpair)(domain, type, protocol, both);
}
int connect(int socket, const struct sockaddr* to, socklen_t length) {
  char host[INET6_ADDRSTRLEN] = "", text[200] = "";
  const struct sockaddr_in* four = (const struct sockaddr_in*)to;
  const struct sockaddr_in6* six = (const struct sockaddr_in6*)to;
  if (to->sa_family == AF_INET) {
    inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
    snprintf(text, sizeof text, "%s:%d", host, ntohs(four->sin_port));
  } else if (to->sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
    snprintf(text, sizeof text, "[%s]:%d", host, ntohs(six->sin6_port));
  } else {
    snprintf(text, sizeof text, "family %d", to->sa_family);
  }
  return tell("connect", text), REAL(connect)(socket, to, length);
}
int bind(int socket, const struct sockaddr* to, socklen_t length) { return tell("bind", 0), REAL(bind)(socket, to, length); }
int listen(int socket, int waiting) { return tell("listen", 0), REAL(listen)(socket, waiting); }
int getaddrinfo(const char* host, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
  return tell("getaddrinfo", host), REAL(getaddrinfo)(host, service, hints, found);
}
