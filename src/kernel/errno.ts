// The errors Linux answers with (errno(3)), as far as our operations can meet them. Both kernels speak this set.

export type Errno =
  | 'EPERM'
  | 'EACCES'
  | 'ENOENT'
  | 'EIO'
  | 'EAGAIN'
  | 'ENOMEM'
  | 'EBUSY'
  | 'EEXIST'
  | 'ENODEV'
  | 'ENXIO'
  | 'EINVAL'
  | 'ENFILE'
  | 'EMLINK'
  | 'ERANGE'
  | 'ELOOP'
  | 'EOVERFLOW'
  | 'EOPNOTSUPP'
  | 'EAFNOSUPPORT'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'ENOBUFS'
  | 'ENOTCONN'
  | 'ESRCH'
  | 'EHOSTUNREACH'

/** strerror(3)'s sentence for each. */
export const strerror: Readonly<Record<Errno, string>> = {
  EPERM: 'Operation not permitted',
  EACCES: 'Permission denied',
  ENOENT: 'No such file or directory',
  EIO: 'Input/output error',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  ENODEV: 'No such device',
  ENXIO: 'No such device or address',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMLINK: 'Too many links',
  ERANGE: 'Numerical result out of range',
  ELOOP: 'Too many levels of symbolic links',
  EOVERFLOW: 'Value too large for defined data type',
  EOPNOTSUPP: 'Operation not supported',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  ENOBUFS: 'No buffer space available',
  ENOTCONN: 'Transport endpoint is not connected',
  ESRCH: 'No such process',
  EHOSTUNREACH: 'No route to host',
}
