# The end of the script that the machine's first process becomes (machine.mjs): makes the system that a command expects, runs it,
# that is "$@", in $folder with its output on the lines to the computer outside, and tells its status.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mkdir -p /run/netns /run/lock
ln -sf /proc/self/fd /dev/fd
mkdir -p "/lib/modules/$version" /boot
mount --bind "$modules" "/lib/modules/$version"
cp "$config" "/boot/config-$version"
hostname cnm-vm
line() { for port in /sys/class/virtio-ports/*; do if [ "$(cat "$port/name")" = "$1" ]; then echo "/dev/${port##*/}"; fi; done; }
exec 7>"$(line out)" 8>"$(line err)" 9>"$(line status)"
ip link set lo up
# What no request brings: a device file, and the hooks below bridges.
modprobe -a tun br_netfilter
echo up >&9
(cd "$folder" && exec "$@" </dev/null >&7 2>&8 7>&- 8>&- 9>&-) 2>&8
echo $? >&9
# The computer outside ends it now.
sleep 5
echo b >/proc/sysrq-trigger
