#!/bin/busybox sh
# The first process of the machine, from its initrd: mounts the root file system of the computer outside, which is read-only, with a
# layer above it that is gone with the machine, and goes on there with the script that comes through the line "script".
b=/bin/busybox
fail() { $b echo "vm: $1"; $b reboot -f; }
line() { for port in /sys/class/virtio-ports/*; do if [ "$($b cat "$port/name")" = "$1" ]; then $b echo "/dev/${port##*/}"; fi; done; }
$b mkdir /proc /sys /dev /low /layer /new
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
for module in $($b cat /modules); do $b insmod "$module" || fail "no module $module"; done
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose root /low || fail 'no root file system'
$b mount -t tmpfs -o size=75% layer /layer
$b mkdir /layer/upper /layer/work
$b mount -t overlay -o lowerdir=/low,upperdir=/layer/upper,workdir=/layer/work root /new || fail 'no layer'
# It comes whole, and the line stays open behind it.
bytes=$($b sed -n 's/.*cnm\.script=\([0-9]*\).*/\1/p' /proc/cmdline)
$b head -c "$bytes" <"$(line script)" >/new/.cnm-vm || fail 'no script'
for place in /dev /sys /proc; do $b umount "$place"; done
exec $b switch_root /new /bin/sh /.cnm-vm
