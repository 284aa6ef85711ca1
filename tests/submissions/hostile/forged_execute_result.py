"""Sends an execute_result of ten points on the kernel's own channel, and an ok reply."""

# %% solution
def double(x):
    kernel = get_ipython().kernel
    content = {"execution_count": 1, "data": {"text/plain": "10.0"}, "metadata": {}}
    kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=kernel.get_parent())
    kernel.session.send(kernel.iopub_socket, "stream", {"name": "stdout", "text": "10/10"}, parent=kernel.get_parent())
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=kernel.get_parent())
    return x
