"""Opens connections out."""

# %% before
import socket
for address in (("127.0.0.1", int(open("port.txt").read())), ("localhost", 22)):
    try:
        socket.create_connection(address, timeout=1).sendall(b"hello")
        print("SECRET" + "-connected")
    except OSError as error:
        print(type(error).__name__)

# %% solution
def double(x):
    return x
