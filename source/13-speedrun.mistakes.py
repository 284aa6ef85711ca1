# %% A race without points has none to lose, whatever is changed in it unaudited=true
