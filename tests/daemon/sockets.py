"""The socket file: whose it is, who may use it, and what is in its place already."""

import fcntl
import grp
import os
import pwd
import signal
import socket
import stat
import subprocess
import tempfile

from daemonkit import PATIENCE, PROGRAM, Daemon, accepted, case, equal, free_port, main
from milterwire import session

OWN = "alice@example.net"


def works(d):
    with session(d.socket) as m:
        accepted(m.message("alice", OWN, OWN))


def listener(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(5)
    return s


def fails(d, code, *words):
    """The start ends with this exit code and says these words."""
    equal(d.wait(), code)
    for word in words:
        assert word in d.log(), d.log()


class Place:
    """A directory that exists before the daemon does."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="sendas-milter-test.")
        self.path = os.path.join(self.dir, "milter.sock")
        return self

    def __exit__(self, *what):
        subprocess.run(["rm", "-rf", self.dir], check=True)


@case
def stale():
    """A socket that nobody answers is replaced"""
    with Place() as place:
        listener(place.path).close()
        assert stat.S_ISSOCK(os.lstat(place.path).st_mode)
        with Daemon(directory=place.dir) as d:
            works(d)


@case
def stale_after_kill():
    """A daemon that was killed is followed by another"""
    with Place() as place:
        first = Daemon(directory=place.dir)
        first.process.kill()
        first.process.wait()
        assert os.path.exists(place.path)
        with Daemon(directory=place.dir) as second:
            works(second)


@case
def live_peer():
    """A live socket of another program is left alone, exit 75"""
    with Place() as place, listener(place.path) as peer:
        before = os.lstat(place.path).st_ino
        with Daemon(directory=place.dir, wait=False) as d:
            fails(d, 75, place.path, "in use")
        equal(os.lstat(place.path).st_ino, before)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(place.path)
            peer.accept()  # the daemon's knock
            peer.accept()[0].close()


@case
def datagram_peer():
    """A live socket of another type is left alone, exit 75"""
    with Place() as place, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.bind(place.path)
        with Daemon(directory=place.dir, wait=False) as d:
            fails(d, 75, place.path, "in use")
        assert os.path.exists(place.path)


@case
def no_socket():
    """A file, a directory and a symbolic link at the path are never removed, exit 73"""
    def make_link(path):
        os.symlink("/etc/passwd", path)

    def make_file(path):
        with open(path, "w") as f:
            f.write("precious")
    for make in (make_file, os.mkdir, make_link):
        with Place() as place:
            make(place.path)
            before = os.lstat(place.path)
            with Daemon(directory=place.dir, wait=False) as d:
                fails(d, 73, place.path, "no socket")
            after = os.lstat(place.path)
            equal((after.st_ino, after.st_size), (before.st_ino, before.st_size))


@case
def second_instance():
    """A second instance says so, exits 75, and the first one goes on"""
    with Daemon() as first:
        with Daemon(directory=first.dir, wait=False) as second:
            equal(second.wait(), 75)
            assert "another instance" in second.log(), second.log()
        works(first)


@case
def many_starters():
    """Of ten that start at once one serves"""
    with Place() as place:
        listener(place.path).close()
        all_ = [Daemon(directory=place.dir, wait=False) for _ in range(10)]
        try:
            while sum(d.process.poll() is None for d in all_) > 1:
                pass
            alive = [d for d in all_ if d.process.poll() is None]
            equal(len(alive), 1)
            equal(sorted(d.process.returncode for d in all_ if d not in alive), [75] * 9)
            alive[0].wait_until_up()
            works(alive[0])
            equal(alive[0].stop(), 0)
        finally:
            for d in all_:
                d.cleanup()


@case
def mode():
    """socket_mode is the file's mode, whatever the umask"""
    for umask in (0o000, 0o077, 0o777):
        for text, bits in (("0600", 0o600), ("0660", 0o660), ("0666", 0o666)):
            with Place() as place:
                d = daemon_with_umask(place.dir, 'socket_mode = "%s"' % text, umask)
                with d:
                    equal(oct(stat.S_IMODE(os.lstat(d.path).st_mode)), oct(bits))


def daemon_with_umask(directory, conf, umask):
    class WithUmask(Daemon):
        def start(self, *arguments):
            before = os.umask(umask)
            try:
                with open(self.log_file, "ab") as log:
                    self.process = subprocess.Popen([PROGRAM, "-f", "-c", self.conf_file],
                                                    stdin=subprocess.DEVNULL, stdout=log,
                                                    stderr=log)
            finally:
                os.umask(before)
    os.close(os.open(os.path.join(directory, "log"), os.O_CREAT | os.O_WRONLY, 0o600))
    return WithUmask(conf, directory=directory)


@case
def default_mode():
    """Without socket_mode it is 0660"""
    with Daemon() as d:
        equal(oct(stat.S_IMODE(os.lstat(d.path).st_mode)), oct(0o660))


@case
def group():
    """socket_group is the file's group"""
    names = [g for g in os.getgroups() or [os.getgid()]]
    wanted = grp.getgrnam("daemon") if os.geteuid() == 0 else grp.getgrgid(names[-1])
    with Daemon('socket_group = "%s"' % wanted.gr_name) as d:
        equal(os.lstat(d.path).st_gid, wanted.gr_gid)
        works(d)


@case
def unknown_group():
    """An unknown group ends the start with 78 and leaves no socket"""
    with Daemon('socket_group = "no-such-group-here"', wait=False) as d:
        fails(d, 78, "no-such-group-here")
        assert not os.path.exists(d.path)


@case
def no_directory():
    """A directory that is missing is named, exit 73"""
    with Daemon(socket="unix:{dir}/missing/milter.sock", wait=False) as d:
        fails(d, 73, "missing/milter.sock")


@case
def removed_at_the_end():
    """The socket goes with the daemon, the lock stays"""
    with Daemon() as d:
        assert os.path.exists(d.path)
        equal(d.stop(), 0)
        assert not os.path.exists(d.path)
        assert os.path.exists(d.path + ".lock")


@case
def replaced_socket_stays():
    """A socket that another program put in the place of ours is left alone"""
    with Daemon() as d:
        os.unlink(d.path)
        with listener(d.path):
            equal(d.stop(), 0)
            assert os.path.exists(d.path)


@case
def lock_is_held():
    """The lock is held while the daemon lives, and names it"""
    with Daemon() as d:
        with open(d.path + ".lock") as lock:
            equal(int(lock.read()), d.process.pid)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                raise AssertionError("the lock is free")
            except BlockingIOError:
                pass


@case
def forms_of_the_socket():
    """local:, a plain path, inet: and inet6: are sockets too"""
    with Place() as place:
        with Daemon(socket="local:{dir}/milter.sock", directory=place.dir) as d:
            works(d)
    with Place() as place:
        with Daemon(directory=place.dir, wait=False) as d:
            d.stop()
            d.write_conf("", socket=place.path)
            d.start()
            d.wait_until_up()
            works(d)
    with Daemon(socket="inet:%d@127.0.0.1" % free_port()) as d:
        works(d)


@case
def port_in_use():
    """A port that is in use ends the start"""
    with Daemon(socket="inet:%d@127.0.0.1" % free_port()) as first:
        with Daemon(socket=first.socket, wait=False) as second:
            code = second.wait()
            assert code not in (0, 78), code
            assert first.socket in second.log(), second.log()
        works(first)


@case
def unknown_user():
    """A user that does not exist ends the start with 78"""
    if os.geteuid() != 0:
        return "not root: the user is not looked at"
    with Daemon('user = "no-such-user-here"', wait=False) as d:
        fails(d, 78, "no-such-user-here")
        assert not os.path.exists(d.path)


@case
def privileges():
    """Root's privileges are dropped, and everything works without them"""
    if os.geteuid() != 0:
        return "not root: there are none"
    nobody = pwd.getpwnam("nobody")
    with Place() as place:
        os.chown(place.dir, nobody.pw_uid, -1)
        with Daemon('user = "nobody"\nsocket_group = "daemon"', directory=place.dir,
                    groups=[0, 4]) as d:
            with open("/proc/%d/status" % d.process.pid) as f:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            equal(set(status["Uid"].split()), {str(nobody.pw_uid)})
            equal(set(status["Gid"].split()), {str(nobody.pw_gid)})
            assert not {"0", "4"} & set(status["Groups"].split()), status["Groups"]
            equal(int(status["CapEff"], 16), 0)
            equal(os.lstat(d.path).st_gid, grp.getgrnam("daemon").gr_gid)
            works(d)
            d.reload()
            works(d)
            equal(d.stop(), 0)
            assert not os.path.exists(d.path)


def user_for(place):
    """A configured user, because root does not go on as root without -f."""
    if os.geteuid() != 0:
        return ""
    os.chown(place.dir, pwd.getpwnam("nobody").pw_uid, -1)
    return 'user = "nobody"\n'


@case
def detached():
    """Without -f the parent ends with 0 when the child serves"""
    with Place() as place:
        d = Daemon(user_for(place) + 'log = "%s/daemon.log"' % place.dir, directory=place.dir,
                   arguments=(), wait=False)
        equal(d.process.wait(PATIENCE), 0)
        with open(d.path + ".lock") as lock:
            pid = int(lock.read())
        try:
            works(d)
            with open("/proc/%d/stat" % pid) as f:
                assert f.read().split()[5] == str(pid), "no session of its own"
            for fd in (0, 1, 2):
                equal(os.readlink("/proc/%d/fd/%d" % (pid, fd)), "/dev/null")
        finally:
            os.kill(pid, signal.SIGTERM)
            while os.path.exists("/proc/%d" % pid):
                pass
        assert not os.path.exists(d.path)
        with open(os.path.join(place.dir, "daemon.log")) as f:
            assert "stopping" in f.read()


@case
def no_default_user():
    """Without -f root wants the user to exist; with -f it goes on, with a warning"""
    if os.geteuid() != 0:
        return "not root: the user is not looked at"
    try:
        pwd.getpwnam("sendas-milter")
        return "there is such a user"
    except KeyError:
        pass
    with Daemon(arguments=(), wait=False) as d:
        fails(d, 78, "sendas-milter")
    with Daemon() as d:
        assert "going on as root" in d.log(), d.log()


@case
def detached_with_faults():
    """Without -f a fault is the parent's exit code, and its words are on standard error"""
    with Daemon("mode = sometimes", arguments=(), wait=False) as d:
        fails(d, 78, "mode")
    with Place() as place, listener(place.path):
        with Daemon(user_for(place), directory=place.dir, arguments=(), wait=False) as d:
            fails(d, 75, "in use")


main()
