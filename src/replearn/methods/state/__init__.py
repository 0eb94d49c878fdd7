"""What methods keep from step to step, in buffers: saved, resumed and alike on all processes."""
