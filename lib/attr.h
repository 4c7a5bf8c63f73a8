/*
 * attr - the compiler attributes that the project uses, by a readable name
 *
 * Depends on: nothing.
 */
#ifndef SENDAS_ATTR_H
#define SENDAS_ATTR_H

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN               __attribute__((noreturn))

#endif
