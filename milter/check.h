/*
 * check - sendas-milter -t: is the configuration right, and, asked twice, is the directory?
 *
 * Use: check_file() for -t; check_directories() for -t -t, which also connects to every LDAP
 * server, binds, looks for base and attribute types, and tells what the directories say of some
 * logins. Result: exit codes of sysexits(3): 0, 75 where a server cannot be asked now, 78. Depends
 * on: conf.
 */
#ifndef SENDAS_CHECK_H
#define SENDAS_CHECK_H

int check_file(const char *file);
/* logins ends with NULL. */
int check_directories(const char *file, char **logins);

#endif
