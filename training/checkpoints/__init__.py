"""The checkpoint format, and reading and writing safetensors files."""
