#!/bin/sh
# Starts the daemons of the recording. Runs as process 1 of namespaces of its own (tools/record_demo/house.py), so that
# accounts, homes, spools and logs exist for these daemons only, and all of them end when this process is killed.
# $1: the folder with the generated configuration.
set -eu
conf=$1
hostname mail.example.com

for file in passwd shadow group pam.d/vsftpd hosts resolv.conf; do
    mount --bind "$conf/$file" "/etc/$file"
done
for place in /run /home /var/log /var/spool/postfix /var/lib/postfix; do
    mount -t tmpfs tmpfs "$place"
done
chmod 755 /run
mkdir -p /run/sshd /run/vsftpd/empty /home/mail
chown mail:mail /home/mail
chown postfix:root /var/lib/postfix

while IFS=: read -r name _ uid gid _ home _; do
    case $home in
    /home/*)
        mkdir -p "$home/.ssh"
        printf 'order 1041 shipped\norder 1042 open\n' >"$home/orders.txt"
        cp "$conf/known_key.pub" "$home/.ssh/authorized_keys"
        chown -R "$uid:$gid" "$home"
        chmod 755 "$home" "$home/.ssh"
        ;;
    esac
done <"$conf/passwd"

slapadd -f "$conf/slapd.conf" -l "$conf/people.ldif"
/usr/sbin/slapd -f "$conf/slapd.conf" -h "ldap://192.0.2.39 ldaps://192.0.2.39" -d stats 2>"$conf/truth/slapd.log" &
/usr/sbin/dovecot -F -c "$conf/dovecot.conf" &
/usr/sbin/postfix -c "$conf/postfix" start-fg &
/usr/sbin/vsftpd "$conf/vsftpd.conf" &
/usr/sbin/sshd -D -f "$conf/sshd_config" -E "$conf/truth/sshd.log" &
wait
