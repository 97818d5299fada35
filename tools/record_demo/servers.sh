#!/bin/sh
# Starts the daemons of the recording. Runs as process 1 of its own mount and process namespaces (see servers.py), so
# that accounts, homes, spools and logs exist for these daemons only, and all of them end when this process is killed.
# $1: the folder with the generated configuration; $2: the Python to run the web application with; $3: that application;
# $4: exim4.
set -eu
conf=$1

for file in passwd shadow group pam.d/vsftpd; do
    mount --bind "$conf/$file" "/etc/$file"
done
mount --bind "$conf/exim4" /etc/exim4
for place in /run /home /var/log /var/spool/exim4; do
    mount -t tmpfs tmpfs "$place"
done
mkdir -p /run/sshd /run/vsftpd/empty /var/log/exim4 /var/spool/exim4/input /var/spool/exim4/msglog /var/spool/exim4/db
chown -R Debian-exim:Debian-exim /var/log/exim4 /var/spool/exim4 /run
chown root:root /run/sshd
chmod 755 /run /run/sshd

while IFS=: read -r name _ uid gid _ home _; do
    case $home in
    /home/*)
        mkdir -p "$home"
        printf 'order 1041 shipped\norder 1042 open\n' >"$home/orders.txt"
        chown -R "$uid:$gid" "$home"
        ;;
    esac
done <"$conf/passwd"

"$2" "$3" "$conf/users.json" "$conf/truth/web.ndjson" &
/usr/sbin/nginx -c "$conf/nginx.conf" &
/usr/sbin/vsftpd "$conf/vsftpd.conf" &
"$4" -bdf -oX 25 -d-all 2>"$conf/truth/exim.stderr" &
/usr/sbin/sshd -D -f "$conf/sshd_config" -E "$conf/truth/sshd.log" &
wait
