"""Sends messages of every wrong shape to the engine."""

# %% solution
def double(x):
    kernel = get_ipython().kernel
    parent = kernel.get_parent()
    for content in ({}, {"data": 1}, {"data": {"image/png": 7}}, {"traceback": None}, {"text": ["x"], "name": 3}):
        for kind in ("stream", "display_data", "execute_result", "error", "clear_output", "update_display_data", "comm_open", "nonsense"):
            try:
                kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
            except Exception:
                pass
    try:
        kernel.iopub_socket.send_multipart([b"x", b"<IDS|MSG>", b"", b"[", b"{}", b"{}", b"{}"])
    except Exception:
        pass
    return x
