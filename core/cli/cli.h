/* cli.h - the commands. Each is given its own name as argv[0], parses the rest with args_parse(), prints
 * help to stdout for --help, and returns the exit status: 0 done, 1 found wanting, 2 wrong usage. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

int cmd_serve(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_plugins(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_plugin(int argc, char **argv);
int cmd_plugin_new(int argc, char **argv);
int cmd_plugin_check(int argc, char **argv);
int cmd_journal(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_dead(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_reverify(int argc, char **argv);

const char *cli_version(void); /* "0.2.0" */

#endif
