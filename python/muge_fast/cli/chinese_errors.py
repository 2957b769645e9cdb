"""Chinese translations of errors and warnings of the library, by their English text with placeholders.

Problems of submissions are in :mod:`muge_fast.datasets.problems`, in both languages. The messages here are raised by
functions that know no language: those of feature files, arrays, images, networks and options.
:func:`muge_fast.cli.error_language.in_chinese` finds the text that a message was made from. Paths and lines before a
message, and hints after a semicolon, are translated by themselves.
"""

from muge_fast.cli.chinese_meteor import METEOR
from muge_fast.cli.chinese_models import MODELS

# What stands before a message, and before a colon.
PLACES = {
    "line {line}": "第 {line} 行",
    "{path}, line {line}": "{path}，第 {line} 行",
    "pool {path}": "候选池 {path}",
    "gold file {path}": "标准答案文件 {path}",
    "array {name}": "数组 {name}",
    "not an archive of features": "不是特征文件",
    "not an array of features": "不是特征数组",
    "not a file of {kind}": "不是 {kind} 文件",
    "not a Parquet file": "不是 Parquet 文件",
    "not an Arrow file": "不是 Arrow 文件",
    "not a Feather file": "不是 Feather 文件",
    "not a CLIP model": "不是 CLIP 模型",
    "not a PyTorch file of weights": "不是 PyTorch 权重文件",
    "weights": "权重",
    "broken header": "文件头损坏",
    "image {key} is broken": "图像 {key} 已损坏",
}

SYSTEM = {
    "Is a directory": "是目录，应为文件",
    "Not a directory": "路径中有一部分不是目录",
    "Permission denied": "没有权限",
    "No such file or directory": "文件不存在",
    "No space left on device": "磁盘空间不足",
    "Input/output error": "读写错误",
    "File name too long": "文件名过长",
    "Too many levels of symbolic links": "符号链接层数过多",
    "Read-only file system": "文件系统只读",
    "cannot allocate {bytes} bytes": "无法分配 {bytes} 字节内存",
    "Unable to allocate {size} for an array with shape {shape} and data type {dtype}": (
        "无法为形状 {shape}、类型 {dtype} 的数组分配 {size} 内存"
    ),
    "Too many open files": "打开的文件过多",
    "File is not a zip file": "不是 zip 文件",
    "Compressed file ended before the end-of-stream marker was reached": "压缩文件不完整",
    "embedded null byte": "名称含有空字节",
    "the gold file does not exist": "标准答案文件不存在",
    "the submission does not exist": "提交文件不存在",
    "the pool does not exist": "候选池文件不存在",
    "the file of texts does not exist": "文本文件不存在",
    "the path of the {name} goes through a file": "{name} 的路径经过一个文件",
    "the {name} cannot be accessed": "无法访问 {name}",
    "the {name} is a directory, name a file in it": "{name} 是目录，请指定其中的文件",
    "the {name} is a directory, name a file in it, such as {file}": "{name} 是目录，请指定其中的文件，例如 {file}",
}
"""Errors of the system and of Python, and of the check before files are read."""

PARSER = {
    "{problem} at character {position}": "字符 {position} 处：{problem}",
    "invalid type: {actual}, expected {expected} at character {position}": (
        "字符 {position} 处类型错误：实际为 {actual}，应为 {expected}"
    ),
    "{field} is missing, the line has {fields} at character {position}": (
        "字符 {position} 处：缺少 {field}，该行的字段为 {fields}"
    ),
    "{field} is missing, the line has {fields} and more at character {position}": (
        "字符 {position} 处：缺少 {field}，该行的字段有 {fields} 等"
    ),
    "{field} is missing at character {position}": "字符 {position} 处：缺少 {field}",
    "{names} or query_id": "{names} 或 query_id",
    "invalid value: {actual}, expected {expected} at character {position}": (
        "字符 {position} 处值无效：实际为 {actual}，应为 {expected}"
    ),
    "expected value": "此处应为值",
    "expected `:`": "此处应为冒号",
    "expected `,` or `}}`": "此处应为 , 或 }}",
    "expected `,` or `]`": "此处应为 , 或 ]",
    "expected ident": "此处应为 true、false 或 null",
    "key must be a string": "字段名应为字符串",
    "trailing comma": "多余的逗号",
    "trailing characters": "多余的内容",
    "invalid number": "无效的数字",
    "number out of range": "数字超出范围",
    "invalid escape": "无效的转义",
    "invalid unicode code point": "无效的 Unicode 码位",
    "lone leading surrogate in hex escape": "孤立的代理码位",
    "unexpected end of hex escape": "转义不完整",
    "recursion limit exceeded": "嵌套过深",
    "control character (\\u0000-\\u001F) found while parsing a string": "字符串中有控制字符",
    "EOF while parsing a value": "内容在值的中途结束",
    "EOF while parsing a string": "内容在字符串的中途结束",
    "EOF while parsing a list": "内容在列表的中途结束",
    "EOF while parsing an object": "内容在对象的中途结束",
    "a list of numbers as feature": "feature 的数字列表",
    "a number as feature[{index}]": "feature[{index}] 的数字",
    "an integer of at most 64 bits or a string as {field}": "{field} 的 64 位整数或字符串",
    "an object with {names}, and feature": "含有 {names} 和 feature 的对象",
    'string "{value}"': '字符串 "{value}"',
    "integer `{value}`": "整数 {value}",
    "floating point `{value}`": "浮点数 {value}",
    "boolean `{value}`": "布尔值 {value}",
    "map": "对象",
    "sequence": "列表",
}
"""Errors of the reader of JSON Lines of features."""

CLICK = {
    "{value} is not a valid integer.": "{value} 不是整数",
}
"""Errors of the parser of command lines."""

FEATURES = {
    "is compressed with gzip, needs the uncompressed file": "文件经过 gzip 压缩，请先解压",
    "starts with a byte order mark, needs UTF-8 without it": "以字节顺序标记（BOM）开头，应为不带 BOM 的 UTF-8",
    "not UTF-8 at byte {position}": "字节偏移 {position} 处不是 UTF-8",
    "feature[{index}] is {number}, too large for float32": "feature[{index}] 为 {number}，超出 float32 的范围",
    "feature[{index}] is {value}, needs a finite number": "feature[{index}] 为 {value}，应为有限的数字",
    "feature is empty, needs at least one number": "feature 为空，至少需要一个数字",
    "{key} is a second {name}": "{key} 是第二个 {name}",
    "has {field}, the first line has {first}": "字段为 {field}，与第一行的 {first} 不一致",
    "{field} is an integer, in the first line a string": "{field} 是整数，但在第一行中是字符串",
    "{field} is a string, in the first line an integer": "{field} 是字符串，但在第一行中是整数",
    "feature has {count} numbers, the first line has {first}": "feature 有 {count} 个数字，第一行有 {first} 个",
    "id {id} occurs twice, in lines {first} and {second}": "ID {id} 重复出现，在第 {first} 行和第 {second} 行",
    "id {id} occurs twice, in rows {first} and {second}": (
        "ID {id} 重复出现，在第 {first} 行和第 {second} 行（从 0 起）"
    ),
    "the file is empty": "文件为空",
    "the file is empty, needs at least one item": "文件为空，至少需要一个条目",
    "the file is {kind}, needs lines with an id and a feature": "文件是{kind}，各行应有 ID 和特征",
    "{kind}; the name of such a file must end in {suffix}": "{kind}；此类文件的名称应以 {suffix} 结尾",
    "the file is a NumPy array (.npy)": "文件是 NumPy 数组（.npy）",
    "the file is an archive of NumPy arrays (.npz)": "文件是 NumPy 数组归档（.npz）",
    "the file is a Parquet file": "文件是 Parquet 文件",
    "the file is an Arrow or Feather file": "文件是 Arrow 或 Feather 文件",
    # Arrays and their ids
    "features have dtype {dtype}, need numbers": "特征的 dtype 为 {dtype}，应为数字",
    "features are empty, need at least one number": "特征为空，至少需要一个数字",
    "ids have shape {ids}, features {features}: need (rows,) and (rows, dimensions)": (
        "ID 的形状为 {ids}，特征为 {features}：应为 (行数,) 和 (行数, 维数)"
    ),
    "features[{row}, {column}] is {value}, needs a finite float32": (
        "features[{row}, {column}] 为 {value}，应为有限的 float32"
    ),
    "has arrays {names}, needs one of {expected}": "含有数组 {names}，应恰好有 {expected} 之一",
    "[{index}] is {type}, ids must be integers or strings": "[{index}] 为 {type}，ID 应为整数或字符串",
    "[{index}] is {value}, which does not fit in int64": "[{index}] 为 {value}，超出 int64 的范围",
    "[{index}] is {value}, which has a lone surrogate: not valid Unicode": (
        "[{index}] 为 {value}，含有孤立的代理码位，不是有效的 Unicode"
    ),
    "[{index}] is {value}, {kind}, and [0] is {first}; all ids must be of one type": (
        "[{index}] 为 {value}（{kind}），而 [0] 为 {first}；所有 ID 的类型应相同"
    ),
    "{name} must have one dimension, got an array of shape {shape}": "{name} 应为一维，实际形状为 {shape}",
    "{name} are {dtype}, needs integers or strings": "{name} 为 {dtype}，应为整数或字符串",
    'convert whole numbers with .astype("int64")': '整数值请用 .astype("int64") 转换',
    "has two arrays of the same name": "有两个同名数组",
    "takes {size} bytes as float64, more than the {limit} allowed": (
        "以 float64 存放需 {size} 字节，超过上限 {limit} 字节"
    ),
    "unpacks to {size} bytes, more than the {limit} allowed": "解压后为 {size} 字节，超过上限 {limit} 字节",
    "has more than {count} files": "含有超过 {count} 个文件",
    "the list of its files has {size} bytes, at most {limit} are read": (
        "文件列表有 {size} 字节，最多读取 {limit} 字节"
    ),
    "a file in it has more bytes than the archive": "其中有一个文件的字节数超过整个归档",
    "array {name} is encrypted": "数组 {name} 已加密",
    "array {name} has an unknown compression": "数组 {name} 的压缩方式未知",
    "version {version} of the format is not supported": "不支持该格式的版本 {version}",
    "has Python objects, which are not unpickled": "含有 Python 对象，不会被反序列化",
    "declares {declared} bytes of data, has {present}": "声明有 {declared} 字节数据，实际为 {present} 字节",
    "has text that is not Unicode": "含有非 Unicode 文本",
    # Tables
    "has no rows": "没有数据行",
    "has columns [{names}], needs feature and one of {expected}, once": (
        "列为 [{names}]，应有 feature 和 {expected} 之一，且不重复"
    ),
    "{field} is a column of {type}, needs integers or strings": "{field} 列的类型为 {type}，应为整数或字符串",
    "feature is a column of {type}, needs lists of floating-point numbers": (
        "feature 列的类型为 {type}，应为浮点数列表"
    ),
    "{field}[{row}] is null, every row needs an id": "{field}[{row}] 为空值，每行都应有 ID",
    "ids unpack to more than the {limit} bytes allowed, 16 MiB plus 20 times the file's size": (
        "ID 解压后超过上限 {limit} 字节（16 MiB 加文件大小的 20 倍）"
    ),
    "unpacks to more than the {limit} bytes allowed, 16 MiB plus 20 times its size": (
        "解压后超过上限 {limit} 字节（16 MiB 加文件大小的 20 倍）"
    ),
    "feature[{row}] is null, every row needs a list of numbers": "feature[{row}] 为空值，每行都应有数字列表",
    "feature[{row}] has {count} numbers, the first row has {first}": (
        "feature[{row}] 有 {count} 个数字，第一行有 {first} 个"
    ),
    "feature[{row}] is null at [{column}], needs a finite number": (
        "feature[{row}] 的第 [{column}] 个值为空，应为有限的数字"
    ),
    "ids are stored as DELTA_BYTE_ARRAY, whose size is not known before it is read: write PLAIN": (
        "ID 以 DELTA_BYTE_ARRAY 存储，读取前无法得知其大小，请用 PLAIN 写出"
    ),
    "columns are nested more than {depth} deep": "列的嵌套超过 {depth} 层",
    "it does not begin and end with ARROW1": "开头和结尾不是 ARROW1",
    "has more than {pages} pages for {size} bytes": "{size} 字节的数据有超过 {pages} 个页",
    "a group is said to have {rows} rows, and has {values} values": "声明的组有 {rows} 行，实际有 {values} 个值",
    "the footer is said to have {length} bytes, of a file of {size}": (
        "文件尾声明为 {length} 字节，而文件共 {size} 字节"
    ),
    "the footer has {length} bytes, more than the {limit} allowed": "文件尾有 {length} 字节，超过上限 {limit} 字节",
    "a batch is said to have {declared} bytes, and {body} in the footer": (
        "声明的批次为 {declared} 字节，在文件尾中为 {body} 字节"
    ),
    "a batch is a message of type {kind}": "批次是类型为 {kind} 的消息",
    "a batch is said to be outside of the file": "声明的批次位置超出文件",
    "a column is said to be outside of the file": "声明的列位置超出文件",
    "a header is damaged": "头部损坏",
    "the footer lacks the place of a column": "文件尾缺少列的位置",
    "the page at byte {at} has no size": "字节偏移 {at} 处的页没有大小",
    "the header of the page at byte {at} is damaged or has more than {limit} bytes": (
        "字节偏移 {at} 处的页头损坏或超过 {limit} 字节"
    ),
    "a header ends too early": "头部过早结束",
    "a header has a number of more than 64 bits": "头部含有超过 64 位的数字",
    "a header is nested too deeply": "头部嵌套过深",
    "a header has a value of unknown type {kind}": "头部含有未知类型 {kind} 的值",
    "a header has a list that is longer than itself": "头部含有超出自身长度的列表",
    # Both sides
    "{images} and {texts} are the same file, need features of images and of texts": (
        "{images} 与 {texts} 是同一文件，应分别为图像特征和文本特征"
    ),
    "{images} has features of texts, its ids are named {image_ids}, and {texts} has features of images, its ids are "
    "named {text_ids}: the files are swapped": (
        "{images} 是文本特征（ID 名为 {image_ids}），而 {texts} 是图像特征（ID 名为 {text_ids}）：两个文件颠倒了"
    ),
    "{name} has features of texts, its ids are named {ids}: needs the file of the other side": (
        "{name} 是文本特征（ID 名为 {ids}），应为图像特征的文件"
    ),
    "{name} has features of images, its ids are named {ids}: needs the file of the other side": (
        "{name} 是图像特征（ID 名为 {ids}），应为文本特征的文件"
    ),
    "{images} has {image_dims} dimensions, {texts} has {text_dims}: need features of one model": (
        "{images} 为 {image_dims} 维，{texts} 为 {text_dims} 维：应为同一模型的特征"
    ),
    "k must be at most {count}, the number of items, got {k}": "k 应不大于条目数 {count}，实际为 {k}",
    "{name}: row {row} has {value} in column {column}, needs finite numbers": (
        "{name}：第 {row} 行第 {column} 列为 {value}，应为有限的数字"
    ),
}
"""Errors of feature files and of searches in them."""

LINES_OF_IMAGES = {
    "has no tab after the id": "ID 后缺少制表符",
    "has no id before the tab": "制表符前缺少 ID",
    "has an id that is not UTF-8": "ID 不是有效的 UTF-8",
    "has no image after the tab": "制表符后缺少图像",
    "has an id that occurred before": "ID 重复出现",
}
"""Problems of lines of image files, which follow a colon or the number of the line."""

FILES = {
    "a directory, expected a file": "是目录，应为文件",
    "not a regular file": "不是普通文件",
    "it is empty": "是空的",
    "the file ends in this line, it may be cut off": "文件在该行结束，可能不完整",
    "needs an id, a tab and a {name}, got {value}": "应有 ID、制表符和{name}，实际为 {value}",
    "text": "文本",
    "key": "组名",
    "id {id} occurs more than once": "ID {id} 重复出现",
    "expected an integer of at most 64 bits, got {value}": "应为 64 位以内的整数，实际为 {value}",
    **LINES_OF_IMAGES,
    **{f"line {{line}} {english}": f"第 {{line}} 行：{chinese}" for english, chinese in LINES_OF_IMAGES.items()},
    "line {line} has the id {id} a second time": "第 {line} 行：ID {id} 重复出现",
    "{path} was changed while it was read": "{path} 在读取期间被修改",
    "{path} was changed since it was indexed": "{path} 在建立索引后被修改",
    "{path} was changed: it ends before image {key}": "{path} 被修改：在图像 {key} 之前结束",
    "scores lack {main}, the main score of task {task}; got {names}": (
        "得分缺少任务 {task} 的主要得分 {main}，实际为 {names}"
    ),
    "references are empty, expected at least one item": "参考答案为空，至少需要一个条目",
    "out of memory while an image was decoded": "解码图像时内存不足",
}
"""Errors of other files."""

NETWORKS = {
    "{package} is required for {purpose}: pip install '{install}'": (
        "{purpose}需要 {package}，请运行 pip install '{install}'"
    ),
    "Parquet and Arrow files": "Parquet 和 Arrow 文件",
    "images need Pillow: pip install 'muge-fast[images]'": "图像需要 Pillow，请运行 pip install 'muge-fast[images]'",
    "the Inception network needs torch and Pillow: pip install 'muge-fast[t2i]'": (
        "Inception 网络需要 torch 和 Pillow，请运行 pip install 'muge-fast[t2i]'"
    ),
    "CLIP needs transformers: pip install 'muge-fast[clip]'": (
        "CLIP 需要 transformers，请运行 pip install 'muge-fast[clip]'"
    ),
    # Weights
    "no weights of {network} at {path}: pass --weights download, or download {url} and pass its path as --weights or "
    "in the environment variable {variable}": (
        "在 {path} 没有 {network} 的权重：请使用 --weights download，或下载 {url} 并用 --weights 或环境变量 {variable} "
        "指定其路径"
    ),
    "no weights of {network} at {path}: download {url} and pass its path in the environment variable {variable}": (
        "在 {path} 没有 {network} 的权重：请下载 {url} 并用环境变量 {variable} 指定其路径"
    ),
    "{path} is a folder: pass the file, such as {example}": "{path} 是目录：请指定文件，例如 {example}",
    "not the weights of {network}: {reason}; needs {source}": "不是 {network} 的权重：{reason}；应为 {source}",
    "they were trained in PyTorch, those of FID are ported from TensorFlow": (
        "它们由 PyTorch 训练得到，而 FID 的权重移植自 TensorFlow"
    ),
    "these are the weights of {network}": "这是 {network} 的权重",
    "names of tensors begin with {prefix}: save the state_dict() of the inner network": (
        "张量名以 {prefix} 开头：请保存内层网络的 state_dict()"
    ),
    "1 tensor differs, such as {name}": "有 1 个张量不同：{name}",
    "{count} tensors differ, such as {name}": "有 {count} 个张量不同，例如 {name}",
    "the network was not trained: all means of batch normalization are 0, all variances 1": (
        "网络未经训练：批归一化的均值全为 0，方差全为 1"
    ),
    "it has {found}, needs a dictionary of tensors: save the state_dict() of the network alone": (
        "内容为 {found}，应为张量字典：请只保存网络的 state_dict()"
    ),
    "a dictionary with the keys {keys}": "键为 {keys} 的字典",
    "{name} is larger than the file": "{name} 比文件还大",
    "it is {kind}": "文件是{kind}",
    "a pointer of Git LFS, not the file itself": "Git LFS 指针，而非文件本身",
    "compressed with gzip": "经 gzip 压缩的文件",
    "it unpacks to more than its size, and torch.save compresses nothing": (
        "解压后大于文件本身，而 torch.save 不压缩数据"
    ),
    "it is a TorchScript archive, which holds a program": "文件是 TorchScript 归档，其中含有程序",
    "it is cut off: download or copy it again": "文件不完整，请重新下载或复制",
    "it holds Python objects besides tensors, which are not unpickled: save the state_dict() of the network": (
        "文件含有张量以外的 Python 对象，不会被反序列化：请保存网络的 state_dict()"
    ),
    "it was not written by torch.save, or is damaged": "文件不是由 torch.save 写出，或已损坏",
    "the file has the SHA-256 {digest}, which should start with {prefix}": (
        "文件的 SHA-256 为 {digest}，应以 {prefix} 开头"
    ),
    "the connection ended after {done} of {total} bytes; run the command again to resume": (
        "连接在 {done} / {total} 字节后中断，再次运行命令可继续下载"
    ),
    # Devices and models
    "unknown device {device}, needs a device of torch such as 'cpu' or 'cuda:0'": (
        "未知的设备 {device}，应为 torch 的设备，如 'cpu' 或 'cuda:0'"
    ),
    "{option} is {device}, but torch finds no CUDA device": "{option} 为 {device}，但 torch 找不到 CUDA 设备",
    "no CLIP model at {name}: {reason}": "{name} 没有 CLIP 模型：{reason}",
    "no CLIP model at {name}, nor in the cache of transformers (download it with the command hf of huggingface_hub): "
    "{reason}": ("{name} 没有 CLIP 模型，transformers 的缓存中也没有（可用 huggingface_hub 的命令 hf 下载）：{reason}"),
    "the model type is {type}, needs {classes}": "模型类型为 {type}，应为 {classes}",
    "{count} tensors are missing or of a wrong shape, such as {name}": "有 {count} 个张量缺失或形状不符，例如 {name}",
    "texts[{index}] is empty": "texts[{index}] 为空",
    # Options
    "{option} is {value}, there are {others} other texts": "{option} 为 {value}，但其他文本只有 {others} 条",
    "{option} is {value}, images {images}: need at least one image for each split": (
        "{option} 为 {value}，图像有 {images} 张：每组至少需要一张图像"
    ),
    "{images} has shape {image_shape}, {texts} {text_shape}: need the same": (
        "{images} 的形状为 {image_shape}，{texts} 的形状为 {text_shape}：两者应相同"
    ),
    "{name} has shape {shape}, needs ({rows}, features): a row for each image": (
        "{name} 的形状为 {shape}，应为 ({rows}, 维数)：每张图像一行"
    ),
    "{side} has 1 images, needs at least two": "{side} 只有 1 张图像，至少需要两张",
    "{name}[{row}] is not finite": "{name}[{row}] 不是有限值",
    "{name}[{row}] is not finite, counted over all batches": "{name}[{row}] 不是有限值（按所有批次计数）",
    "{name}[{row}] is not finite, or zero": "{name}[{row}] 不是有限值，或为零向量",
    "{name} lack 1 id of {wanted}: {ids}": "{name} 缺少{wanted}的 1 个 ID：{ids}",
    "{name} lack {count} ids of {wanted}: {ids}": "{name} 缺少{wanted}的 {count} 个 ID：{ids}",
    "{name} have 1 id not in {wanted}: {ids}": "{name} 有 1 个 ID 不在{wanted}中：{ids}",
    "{name} have {count} ids not in {wanted}: {ids}": "{name} 有 {count} 个 ID 不在{wanted}中：{ids}",
    "{ids} and {more} more": "{ids} 等（另有 {more} 个）",
    "features": "特征",
    "texts": "文本",
    "the images": "图像",
    "the generated images": "生成图像",
    "there is 1 image, FID needs at least two": "只有 1 张图像，FID 至少需要两张",
    "there are no images": "没有图像",
    "features are too large: the distance overflows double precision": "特征过大：距离超出双精度范围",
    "task {task} has no option {option}": "任务 {task} 没有选项 {option}",
    "task {task} has no pool": "任务 {task} 没有候选池",
    "its options are {names}": "其选项为 {names}",
    "did you mean {name}?": "您是否想用 {name}？",
    "unknown {option} {value}, choose one of {choices}": "未知的 {option} {value}，可选：{choices}",
    "unknown {option} {value}, choose from {choices}": "未知的 {option} {value}，可选：{choices}",
    "{name} must be an integer, got {value}": "{name} 应为整数，实际为 {value}",
    "{name} must be at least {least}, got {value}": "{name} 应不小于 {least}，实际为 {value}",
    "{name} must be one of {choices}, got {value}": "{name} 应为 {choices} 之一，实际为 {value}",
}
"""Errors of networks, of their weights, and of values of options."""

WARNINGS = {
    "FID of {images} images is biased upwards; compare it only with FID of sets of equal size": (
        "FID 仅基于 {images} 张图像，会偏高；只能与相同数量图像的 FID 比较"
    ),
    "Inception Score of {sizes} is biased downwards; compare it only with scores of equal splits": (
        "基于 {sizes} 的 Inception Score 会偏低；只能与相同分组的得分比较"
    ),
    "{splits} splits of about {images} images each": "{splits} 组（每组约 {images} 张图像）",
    "{images} images": "{images} 张图像",
}

COMPARISONS = {
    "the test {test} cannot be used for {metric}, choose from {choices}": (
        "检验方法 {test} 不能用于 {metric}，可选：{choices}"
    ),
    "{option} has {value} more than once": "{option} 中的 {value} 重复出现",
    "{option} must be at least {needed} for level {level}, got {value}": (
        "置信水平为 {level} 时，{option} 应不小于 {needed}，实际为 {value}"
    ),
    "compare needs at least two items, got {items}": "比较至少需要两个条目，实际为 {items} 个",
    "all items are in one cluster, needs at least two clusters": "所有条目都在同一组中，至少需要两组",
    "{metric} cannot be compared: {reason}": "{metric} 不能比较：{reason}",
    "{metric} was computed without the influence of images: pass influence=True to {functions}": (
        "计算 {metric} 时没有计算各图像的影响：请向 {functions} 传入 influence=True"
    ),
    "muge_fast does not compute the influence of images on {metric}": "muge_fast 不计算各图像对 {metric} 的影响",
    "the gold file": "标准答案文件",
}
"""Errors of comparisons."""

ERRORS = PLACES | METEOR | MODELS | SYSTEM | PARSER | CLICK | FEATURES | FILES | NETWORKS | WARNINGS | COMPARISONS
