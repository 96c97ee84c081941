// What stock libllama and libmtmd compute for a pair of files: tokens, image embeddings, first-token
// logits and greedy tokens, one prompt a line. check_export.py runs it and compares with PyTorch.
//
// Build against an installed llama.cpp of the pinned tag (PREFIX; static libraries, LLAMA_BUILD_MTMD=ON; the
// build leaves libvendor-hash.a in its own folder):
//   g++ -O2 -std=c++17 oracle.cpp -I PREFIX/include -L PREFIX/lib -lmtmd -lvendor-hash -lllama -lggml
//       -lggml-cpu -lggml-base -lgomp -lpthread -ldl -o oracle
//
// oracle MODEL PROJECTOR|- CONTEXT_LENGTH exact|default GREEDY_COUNT   (exact: F32 KV cache, no flash attention)
// stdin, a line a prompt: parse_special(0|1) picture.ppm|- hex(before) hex(after)|-
// stdout, a line a prompt: JSON.
#include "llama-cpp.h"
#include "mtmd-helper.h"
#include "mtmd.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

static std::string unhex(const std::string & hex) {
    std::string out;
    if (hex == "-") {
        return out;
    }
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        out.push_back((char) std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return out;
}

static mtmd_bitmap * read_ppm(const std::string & path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    uint32_t width = 0, height = 0, top = 0;
    file >> magic >> width >> height >> top;
    file.get();
    std::vector<unsigned char> pixels((size_t) width * height * 3);
    file.read((char *) pixels.data(), (std::streamsize) pixels.size());
    if (magic != "P6" || top != 255 || !file) {
        return nullptr;
    }
    return mtmd_bitmap_init(width, height, pixels.data());
}

template <typename T> static void print_row(const char * name, const T * values, size_t count) {
    printf("\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        printf("%s%.7g", i ? "," : "", (double) values[i]);
    }
    printf("]");
}

int main(int argc, char ** argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: oracle MODEL PROJECTOR|- CONTEXT_LENGTH exact|default GREEDY_COUNT\n");
        return 2;
    }
    llama_log_set([](ggml_log_level level, const char * text, void *) { if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr); }, nullptr);
    mtmd_helper_log_set([](ggml_log_level level, const char * text, void *) { if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr); }, nullptr);
    ggml_backend_load_all();
    const bool exact = std::string(argv[4]) == "exact";
    const int greedy_count = std::stoi(argv[5]);

    llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = 0;
    llama_model_ptr model(llama_model_load_from_file(argv[1], model_params));
    if (!model) {
        return 1;
    }
    llama_context_params context_params = llama_context_default_params();
    context_params.n_ctx = (uint32_t) std::stoi(argv[3]);
    context_params.n_threads = context_params.n_threads_batch = 1;
    if (exact) {
        context_params.type_k = context_params.type_v = GGML_TYPE_F32;
        context_params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    }
    llama_context_ptr context(llama_init_from_model(model.get(), context_params));
    const llama_vocab * vocab = llama_model_get_vocab(model.get());
    const int vocab_size = llama_vocab_n_tokens(vocab);
    const int width = llama_model_n_embd(model.get());

    mtmd_context * vision = nullptr;
    if (std::string(argv[2]) != "-") {
        mtmd_context_params params = mtmd_context_params_default();
        params.use_gpu = false;
        params.warmup = false;
        params.n_threads = 1;
        params.flash_attn_type = exact ? LLAMA_FLASH_ATTN_TYPE_DISABLED : LLAMA_FLASH_ATTN_TYPE_AUTO;
        vision = mtmd_init_from_file(argv[2], model.get(), params);
        if (!vision) {
            return 1;
        }
    }

    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream fields(line);
        int parse_special = 0;
        std::string picture, before_hex, after_hex;
        fields >> parse_special >> picture >> before_hex >> after_hex;
        const std::string before = unhex(before_hex), after = unhex(after_hex);
        llama_memory_clear(llama_get_memory(context.get()), true);
        llama_pos past = 0;
        std::vector<llama_token> tokens;

        auto tokenize = [&](const std::string & text, bool bos) {
            std::vector<llama_token> out(text.size() + 8);
            const int count = llama_tokenize(vocab, text.data(), (int) text.size(), out.data(), (int) out.size(), bos, parse_special != 0);
            out.resize((size_t) std::max(count, 0));
            return out;
        };
        auto decode = [&](const std::vector<llama_token> & row) {
            llama_batch batch = llama_batch_get_one(const_cast<llama_token *>(row.data()), (int) row.size());
            past += (llama_pos) row.size();
            return llama_decode(context.get(), batch);
        };

        printf("{");
        if (picture == "-") {
            tokens = tokenize(before, true);
            print_row("tokens", tokens.data(), tokens.size());
            if (greedy_count == 0) {
                printf("}\n");
                continue;
            }
            if (tokens.empty() || decode(tokens) != 0) {
                return 1;
            }
        } else {
            mtmd_bitmap * bitmap = read_ppm(picture);
            if (!bitmap || !vision) {
                return 1;
            }
            const mtmd_input_text texts[2] = {
                { before.data(), before.size(), false, parse_special != 0 },
                { after.data(), after.size(), false, parse_special != 0 },
            };
            const mtmd_input_part first { &texts[0], nullptr }, second { nullptr, bitmap }, third { &texts[1], nullptr };
            const mtmd_input_part * parts[3] = { &first, &second, &third };
            mtmd_input_chunks * chunks = mtmd_input_chunks_init();
            if (mtmd_tokenize_from_parts(vision, chunks, parts, 3, true) != 0) {
                return 1;
            }
            for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
                const mtmd_input_chunk * chunk = mtmd_input_chunks_get(chunks, i);
                const size_t count = mtmd_input_chunk_get_n_tokens(chunk);
                if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT) {
                    size_t text_count = 0;
                    const llama_token * text_tokens = mtmd_input_chunk_get_tokens_text(chunk, &text_count);
                    tokens.insert(tokens.end(), text_tokens, text_tokens + text_count);
                } else {
                    if (mtmd_encode_chunk(vision, chunk) != 0) {
                        return 1;
                    }
                    print_row("embeddings", mtmd_get_output_embd(vision), count * (size_t) width);
                    printf(",");
                    tokens.insert(tokens.end(), count, -1);
                }
            }
            if (mtmd_helper_eval_chunks(vision, context.get(), chunks, 0, 0, 512, true, &past) != 0) {
                return 1;
            }
            print_row("tokens", tokens.data(), tokens.size());
            mtmd_input_chunks_free(chunks);
            mtmd_bitmap_free(bitmap);
        }
        printf(",");
        print_row("logits", llama_get_logits_ith(context.get(), -1), (size_t) vocab_size);
        std::vector<llama_token> greedy;
        while ((int) greedy.size() < greedy_count) {
            const float * logits = llama_get_logits_ith(context.get(), -1);
            const llama_token next = (llama_token) (std::max_element(logits, logits + vocab_size) - logits);
            greedy.push_back(next);
            if (llama_vocab_is_eog(vocab, next) || decode({ next }) != 0) {
                break;
            }
        }
        printf(",");
        print_row("greedy", greedy.data(), greedy.size());
        printf("}\n");
        fflush(stdout);
    }
    mtmd_free(vision);
    return 0;
}
