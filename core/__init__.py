"""The captioner: picture in, caption out; knows nothing of windows, screens or speech."""
