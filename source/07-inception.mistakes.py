# %% Nobody has looked at the surviving mutants yet unaudited=true


# %% [markdown]
# ## One pixel, all channels


# %% Reshape instead of permute exercise="conv1x1"
# reshape does not move axes: it cuts one image's channels into rows. Move the channels to the end
# with permute first.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product."""
    n, channels, height, width = x.shape
    pixels = x.reshape(-1, channels)
    y = pixels @ weight.T + bias
    return y.reshape(n, height, width, -1).permute(0, 3, 1, 2)
