"""A trained model in the forms that others can use: safetensors, ONNX, a model card."""
